import React, { useEffect, useState } from 'react';

const SSEExample = () => {
  const [data, setData] = useState(null);

  useEffect(() => {
    const eventSource = new EventSource('/sse');

    eventSource.addEventListener('message', (event) => {
      const eventData = JSON.parse(event.data);
      setData(eventData);
    });

    eventSource.addEventListener('error', (error) => {
      console.error('Error occurred:', error);
      eventSource.close();
    });

    return () => {
      eventSource.close(); // Cleanup the event source when the component unmounts
    };
  }, []); // Empty dependency array ensures the effect runs once on mount

  return (
    <div>
      <h1>SSE Example</h1>
      {data && (
        <div>
          <p>Received data:</p>
          <pre>{JSON.stringify(data, null, 2)}</pre>
          {/* You can update the UI or perform other actions with the received data */}
        </div>
      )}
    </div>
  );
};

export default SSEExample;
